package protocol

import (
	"fmt"

	"google.golang.org/protobuf/proto"
)

// Serializer turns the values of handlers into bodies and back. Implementations
// are safe for concurrent use.
type Serializer interface {
	// Name is what the handshake response calls it, in sys.serializer.
	Name() string

	// Append appends the encoding of v to dst and returns the longer slice. It
	// keeps neither. With an error dst comes back as it was.
	Append(dst []byte, v any) ([]byte, error)

	// Unmarshal decodes b into what v points to. It does not change b, and v
	// does not alias b afterwards, with one exception: a *[]byte becomes b
	// itself and is good for as long as b is.
	Unmarshal(b []byte, v any) error
}

// The serializers of the module. To all of them []byte and *[]byte are bodies
// already and pass through as they are.
var (
	// JSON is encoding/json for the clients of the field. Inbound it joins the
	// surrogate pairs that JavaScript clients send as two three-byte sequences;
	// outbound it escapes every character outside the BMP as \uXXXX\uXXXX,
	// which all clients understand, and does not escape HTML. An empty body
	// leaves v as it is, as in Protobuf: several clients send none for a call
	// without arguments.
	JSON Serializer = jsonSerializer{}

	// Protobuf is standard protobuf: values are proto.Message. It is not
	// pomelo-protobuf, which zig-zags plain int32.
	Protobuf Serializer = protobufSerializer{}

	// Raw takes bytes and strings only, and changes nothing.
	Raw Serializer = rawSerializer{}
)

type protobufSerializer struct{}

func (protobufSerializer) Name() string { return "protobuf" }

func (protobufSerializer) Append(dst []byte, v any) ([]byte, error) {
	if body, ok := passOut(v); ok {
		return append(dst, body...), nil
	}
	m, ok := v.(proto.Message)
	if !ok {
		return dst, fmt.Errorf("encode protobuf: %T is not a proto.Message", v)
	}
	out, err := proto.MarshalOptions{}.MarshalAppend(dst, m)
	if err != nil {
		return dst, fmt.Errorf("encode protobuf: %w", err)
	}
	return out, nil
}

func (protobufSerializer) Unmarshal(b []byte, v any) error {
	if passIn(b, v) {
		return nil
	}
	m, ok := v.(proto.Message)
	if !ok {
		return fmt.Errorf("decode protobuf: %T is not a proto.Message", v)
	}
	if err := proto.Unmarshal(b, m); err != nil {
		return fmt.Errorf("decode protobuf: %w", err)
	}
	return nil
}

type rawSerializer struct{}

func (rawSerializer) Name() string { return "raw" }

func (rawSerializer) Append(dst []byte, v any) ([]byte, error) {
	if body, ok := passOut(v); ok {
		return append(dst, body...), nil
	}
	if s, ok := v.(string); ok {
		return append(dst, s...), nil
	}
	return dst, fmt.Errorf("encode raw: %T is neither bytes nor a string", v)
}

func (rawSerializer) Unmarshal(b []byte, v any) error {
	if passIn(b, v) {
		return nil
	}
	if s, ok := v.(*string); ok {
		*s = string(b)
		return nil
	}
	return fmt.Errorf("decode raw: %T is neither *[]byte nor *string", v)
}

// passOut returns v as a body when it is one already.
func passOut(v any) (body []byte, ok bool) {
	switch v := v.(type) {
	case []byte:
		return v, true
	case *[]byte:
		if v == nil {
			return nil, true
		}
		return *v, true
	}
	return nil, false
}

// passIn hands b over as it is when v asks for bytes.
func passIn(b []byte, v any) bool {
	p, ok := v.(*[]byte)
	if ok {
		*p = b
	}
	return ok
}
