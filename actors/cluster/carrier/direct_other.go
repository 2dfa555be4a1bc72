//go:build !linux

package carrier

import "google.golang.org/grpc/credentials"

// direct is the credentials as they are where sockets are not used raw.
type direct struct {
	credentials.TransportCredentials
}
