package transport

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// rawDial says that this system connects raw descriptors.
const rawDial = true

// dialRaw begins to connect a non-blocking descriptor.
func dialRaw(d *dialing) (socket, error) {
	to, err := net.ResolveTCPAddr("tcp", d.addr)
	if err != nil {
		return nil, err
	}
	family, remote := sockaddr(to)
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // slower without, not wrong
	s := &fdSocket{fd: int32(fd)}
	if d.opts.LocalAddr.IsValid() {
		// The port is chosen at connect, so that one port serves several peers.
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
		_, local := sockaddr(&net.TCPAddr{IP: d.opts.LocalAddr.AsSlice()})
		if err := unix.Bind(fd, local); err != nil {
			return s, fmt.Errorf("bind %s: %w", d.opts.LocalAddr, err)
		}
	}
	if err := unix.Connect(fd, remote); err != nil && err != unix.EINPROGRESS {
		return s, fmt.Errorf("connect: %w", err)
	}
	return s, nil
}

func sockaddr(a *net.TCPAddr) (family int, sa unix.Sockaddr) {
	if ip := a.IP.To4(); ip != nil || len(a.IP) == 0 {
		v4 := &unix.SockaddrInet4{Port: a.Port}
		copy(v4.Addr[:], ip)
		return unix.AF_INET, v4
	}
	v6 := &unix.SockaddrInet6{Port: a.Port}
	copy(v6.Addr[:], a.IP.To16())
	return unix.AF_INET6, v6
}

// connectError tells how a connect ended.
func connectError(s socket) error {
	fs, ok := s.(*fdSocket)
	if !ok {
		return nil
	}
	n, err := unix.GetsockoptInt(int(fs.fd), unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && n != 0 {
		err = unix.Errno(n)
	}
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	return nil
}
