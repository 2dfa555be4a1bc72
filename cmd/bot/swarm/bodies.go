package swarm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/goccy/go-yaml"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// bodies turns the JSON of scenario files into protobuf and answers back, so that
// one file serves servers of both kinds. Routes that it does not know stay JSON.
// It is immutable; any goroutine may use it.
type bodies struct {
	requests, responses map[string]protoreflect.MessageType
}

// messageNames is an entry of the --messages file: one type, or two.
type messageNames struct{ Request, Response string }

// UnmarshalYAML takes "pkg.Type" or {request: pkg.Type, response: pkg.Type}.
func (n *messageNames) UnmarshalYAML(b []byte) error {
	if yaml.Unmarshal(b, &n.Request) == nil {
		return nil
	}
	type plain messageNames
	return yaml.UnmarshalWithOptions(b, (*plain)(n), yaml.Strict())
}

// loadBodies compiles --proto and resolves --messages; nil without them.
func loadBodies(file, messages string) (*bodies, error) {
	if file == "" && messages == "" {
		return nil, nil
	}
	if file == "" || messages == "" {
		return nil, errors.New("--proto and --messages belong together: the types, and which route has which")
	}
	find, err := openTypes(file)
	if err != nil {
		return nil, fmt.Errorf("--proto %s: %w", file, err)
	}
	text, err := os.ReadFile(messages)
	if err != nil {
		return nil, fmt.Errorf("--messages: %w", err)
	}
	var byRoute map[string]messageNames
	if err := yaml.Unmarshal(text, &byRoute); err != nil {
		return nil, fmt.Errorf("--messages %s: %w", messages, err)
	}
	b := &bodies{requests: map[string]protoreflect.MessageType{}, responses: map[string]protoreflect.MessageType{}}
	for route, names := range byRoute {
		for _, one := range []struct {
			name string
			into map[string]protoreflect.MessageType
		}{{names.Request, b.requests}, {names.Response, b.responses}} {
			if one.name == "" {
				continue
			}
			if one.into[route], err = find(protoreflect.FullName(one.name)); err != nil {
				return nil, fmt.Errorf("--messages %s: route %s: %w", messages, route, err)
			}
		}
	}
	return b, nil
}

// openTypes reads a .proto file, or a descriptor set as protoc writes it.
func openTypes(file string) (func(protoreflect.FullName) (protoreflect.MessageType, error), error) {
	var find interface {
		FindDescriptorByName(protoreflect.FullName) (protoreflect.Descriptor, error)
	}
	if strings.HasSuffix(file, ".proto") {
		c := protocompile.Compiler{Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: []string{filepath.Dir(file)}})}
		files, err := c.Compile(context.Background(), filepath.Base(file))
		if err != nil {
			return nil, err
		}
		find = files.AsResolver()
	} else {
		set := new(descriptorpb.FileDescriptorSet)
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if err := proto.Unmarshal(raw, set); err != nil {
			return nil, err
		}
		var files *protoregistry.Files
		if files, err = protodesc.NewFiles(set); err != nil {
			return nil, err
		}
		find = files
	}
	return func(name protoreflect.FullName) (protoreflect.MessageType, error) {
		d, err := find.FindDescriptorByName(name)
		if err != nil {
			return nil, fmt.Errorf("message %s: %w", name, err)
		}
		m, ok := d.(protoreflect.MessageDescriptor)
		if !ok {
			return nil, fmt.Errorf("%s is no message", name)
		}
		return dynamicpb.NewMessageType(m), nil
	}, nil
}

// encode appends the protobuf form of a request's JSON body to dst.
func (b *bodies) encode(dst []byte, route string, body []byte) ([]byte, error) {
	typ, ok := b.requests[route]
	if !ok {
		return append(dst, body...), nil
	}
	m := typ.New().Interface()
	if len(body) > 0 {
		if err := protojson.Unmarshal(body, m); err != nil {
			return dst, fmt.Errorf("body of %s: %w", route, err)
		}
	}
	return proto.MarshalOptions{}.MarshalAppend(dst, m)
}

// decode returns the JSON form of an answer, or in a word what is wrong with it.
func (b *bodies) decode(route string, body []byte) (text []byte, code string) {
	typ, ok := b.responses[route]
	if !ok {
		return body, ""
	}
	m := typ.New().Interface()
	if proto.Unmarshal(body, m) != nil {
		return nil, "malformed"
	}
	// What is zero is told too, and under the names of the file.
	text, err := protojson.MarshalOptions{EmitUnpopulated: true, UseProtoNames: true}.Marshal(m)
	if err != nil {
		return nil, "malformed"
	}
	return text, ""
}
