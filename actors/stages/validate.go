package stages

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/go-playground/validator/v10"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
)

// Validate is a decoded stage that checks requests by the validate tags of their
// fields and answers 400 with the first field that breaks its rule, under the name
// that it has in JSON:
//
//	type Join struct {
//		Room string `json:"room" validate:"required,max=32"`
//	}
//
// Requests that are no structs pass. A nil v is a validator with the rules that
// the library ships; rules of one's own are registered with v before. The library
// looks at a type once and keeps what it finds.
func Validate(v *validator.Validate) func(*actors.Ctx, any) error {
	if v == nil {
		v = validator.New(validator.WithRequiredStructEnabled())
	}
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			return f.Name
		}
		return name
	})
	return func(_ *actors.Ctx, req any) error {
		if reflect.Indirect(reflect.ValueOf(req)).Kind() != reflect.Struct {
			return nil
		}
		err := v.Struct(req)
		if broken, is := errors.AsType[validator.ValidationErrors](err); is && len(broken) > 0 {
			return protocol.Errorf(protocol.CodeBadRequest, "%s", rule(broken[0])).With(err)
		}
		if err != nil {
			return protocol.Errorf(protocol.CodeBadRequest, "bad request").With(err)
		}
		return nil
	}
}

// rule says which field breaks which rule: "room: required", "age: min=18".
func rule(f validator.FieldError) string {
	_, field, _ := strings.Cut(f.Namespace(), ".") // without the name of the type
	if f.Param() == "" {
		return fmt.Sprintf("%s: %s", field, f.Tag())
	}
	return fmt.Sprintf("%s: %s=%s", field, f.Tag(), f.Param())
}
