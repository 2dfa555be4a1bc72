package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/gobwas/ws"
)

const (
	defaultRoom   = "1"
	handshakeBody = `{"code":200,"sys":{"heartbeat":30}}`
	joinedBody    = `{"code":0,"result":"success"}`
)

// conn is one client.
type conn struct {
	fd       int
	id       int64
	upgraded bool
	tail     []byte // input that ends inside a unit, nil most of the time
	room     *room
	seat     int // index in room.fds
}

// room is the list that a broadcast walks: descriptors, nothing to chase.
type room struct {
	fds []int
}

func (r *room) add(c *conn) {
	c.room, c.seat = r, len(r.fds)
	r.fds = append(r.fds, c.fd)
}

// leave fills the seat of c with the last member.
func (s *server) leave(c *conn) {
	r := c.room
	last := s.conns[r.fds[len(r.fds)-1]]
	r.fds[c.seat], last.seat = last.fd, c.seat
	r.fds = r.fds[:len(r.fds)-1]
	c.room = nil
}

// feed handles all whole units in b and returns what is left.
func (s *server) feed(c *conn, b []byte) (rest []byte, err error) {
	if !c.upgraded {
		end := bytes.Index(b, []byte("\r\n\r\n"))
		if end < 0 {
			return b, nil
		}
		if err := s.upgrade(c, b[:end+4]); err != nil {
			return nil, err
		}
		b = b[end+4:]
	}
	for {
		op, payload, rest, err := cutFrame(b)
		if err == errShort {
			return b, nil
		}
		if err != nil {
			return nil, err
		}
		if op != ws.OpBinary {
			return nil, errForeign // a close frame as well: the connection ends
		}
		if err := s.packages(c, payload); err != nil {
			return nil, err
		}
		b = rest
	}
}

// upgrade answers the WebSocket handshake.
func (s *server) upgrade(c *conn, head []byte) error {
	var answer bytes.Buffer
	if _, err := (ws.Upgrader{}).Upgrade(readWriter{bytes.NewReader(head), &answer}); err != nil {
		return err
	}
	c.upgraded = true
	s.write(c.fd, answer.Bytes())
	return nil
}

// readWriter reads from one buffer and writes to another.
type readWriter struct {
	in  *bytes.Reader
	out *bytes.Buffer
}

func (rw readWriter) Read(b []byte) (int, error)  { return rw.in.Read(b) }
func (rw readWriter) Write(b []byte) (int, error) { return rw.out.Write(b) }

// packages handles the packages of one WebSocket message.
func (s *server) packages(c *conn, b []byte) error {
	for len(b) > 0 {
		typ, body, rest, err := cutPackage(b)
		if err != nil {
			return err
		}
		switch typ {
		case packHandshake:
			s.out.begin(packHandshake)
			s.out.buf = append(s.out.buf, handshakeBody...)
			s.write(c.fd, s.out.end())
		case packAck, packHeartbeat:
			s.out.begin(packHeartbeat)
			s.write(c.fd, s.out.end())
		case packData:
			m, err := parseMessage(body)
			if err != nil {
				return err
			}
			if err := s.serve(c, m); err != nil {
				return err
			}
		default:
			return errForeign
		}
		b = rest
	}
	return nil
}

// serve handles one request or notify.
func (s *server) serve(c *conn, m message) error {
	switch string(m.route) {
	case "room.message":
		if c.room == nil {
			return nil
		}
		// The body is passed on as it came: the yardstick decodes nothing.
		s.out.beginPush("onMessage")
		s.out.buf = append(s.out.buf, m.body...)
		s.broadcast(c.room)
	case "room.echo":
		s.out.beginResponse(m.id)
		s.out.buf = append(s.out.buf, m.body...)
		s.write(c.fd, s.out.end())
	case "room.join":
		s.join(c, m.body)
		s.out.beginResponse(m.id)
		s.out.buf = append(s.out.buf, joinedBody...)
		s.write(c.fd, s.out.end())
	default:
		return fmt.Errorf("route %s: %w", m.route, errForeign)
	}
	return nil
}

// broadcast is the loop that is measured.
func (s *server) broadcast(r *room) {
	b := s.out.end()
	for _, fd := range r.fds {
		s.write(fd, b)
	}
}

// join does what the chat demo's join does, short of the response.
func (s *server) join(c *conn, body []byte) {
	var req struct {
		Room string `json:"room"`
	}
	if err := json.Unmarshal(body, &req); err != nil || req.Room == "" {
		req.Room = defaultRoom
	}
	if c.room != nil {
		return
	}
	r := s.rooms[req.Room]
	if r == nil {
		r = &room{}
		s.rooms[req.Room] = r
	}
	s.out.beginPush("onMembers")
	s.out.buf = append(s.out.buf, `{"members":[`...)
	for i, fd := range r.fds {
		if i > 0 {
			s.out.buf = append(s.out.buf, ',')
		}
		s.out.buf = strconv.AppendInt(s.out.buf, s.conns[fd].id, 10)
	}
	s.out.buf = append(s.out.buf, `]}`...)
	s.write(c.fd, s.out.end())
	if s.announce {
		s.out.beginPush("onNewUser")
		s.out.buf = fmt.Appendf(s.out.buf, `{"content":"New user: %d"}`, c.id)
		s.broadcast(r)
	}
	r.add(c)
}
