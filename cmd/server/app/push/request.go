package push

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"mime"
	"net/http"

	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms/live"
)

// request is what a caller wants pushed.
type request struct {
	name string // of the room or the user
	post *live.Post
}

// fields are the fields of a body in either form.
type fields struct {
	Room   string          `json:"room"`
	User   string          `json:"user"`
	Route  string          `json:"route"`
	Latest string          `json:"latest"`
	Items  json.RawMessage `json:"items"`
}

// read reads and checks a body.
func (a *API) read(w http.ResponseWriter, r *http.Request, to aim) (req request, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, int64(a.cfg.MaxBody))
	in, err := readFields(r, a.cfg.MaxBody)
	if tooBig, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return req, refused(http.StatusRequestEntityTooLarge, 0, fmt.Sprintf("a request may have %d bytes", tooBig.Limit))
	}
	if err != nil {
		return req, bad("%v", err)
	}
	switch {
	case to == aimRoom && in.Room == "":
		return req, bad("room: name the room")
	case to == aimUser && in.User == "":
		return req, bad("user: name the user")
	case len(in.Room) > maxName || len(in.User) > maxName:
		return req, bad("a name may have %d bytes", maxName)
	case len(in.Route) > protocol.MaxRouteLen:
		return req, bad("route: may have %d bytes", protocol.MaxRouteLen)
	}
	req.post = &live.Post{Route: in.Route}
	if req.name = in.Room; to == aimUser {
		req.name = in.User
	}
	if req.post.Items, err = a.items(in.Items); err != nil {
		return req, err
	}
	if in.Latest != "" {
		if len(req.post.Items) != 1 {
			return req, bad("latest: give one item, since only the last would count")
		}
		req.post.Latest = latestKey(in.Latest)
	}
	return req, nil
}

// maxName bounds the names of rooms and users.
const maxName = 256

func readFields(r *http.Request, memory int) (in fields, err error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return in, errors.New("Content-Type: give application/json or application/x-www-form-urlencoded")
	}
	switch kind {
	case "application/json":
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return in, err
		}
		if err := protocol.JSON.Unmarshal(b, &in); err != nil {
			return in, fmt.Errorf("body: %w", err)
		}
		return in, nil
	case "application/x-www-form-urlencoded":
		err = r.ParseForm()
	case "multipart/form-data":
		err = r.ParseMultipartForm(int64(memory)) // the body is bounded: nothing goes to disk
	default:
		return in, fmt.Errorf("Content-Type %s: give application/json or application/x-www-form-urlencoded", kind)
	}
	if err != nil {
		return in, fmt.Errorf("body: %w", err)
	}
	f := r.PostForm
	return fields{Room: f.Get("room"), User: f.Get("user"), Route: f.Get("route"), Latest: f.Get("latest"), Items: []byte(f.Get("items"))}, nil
}

// items cuts a JSON array into items, each as clients can read it.
func (a *API) items(raw []byte) ([][]byte, error) {
	if len(raw) == 0 {
		return nil, bad("items: give a JSON array of what is to be pushed")
	}
	var list []json.RawMessage
	if err := protocol.JSON.Unmarshal(raw, &list); err != nil {
		return nil, bad("items: %v", err)
	}
	switch {
	case len(list) == 0:
		return nil, bad("items: there is nothing in the array")
	case a.cfg.MaxItems > 0 && len(list) > a.cfg.MaxItems:
		return nil, refused(http.StatusRequestEntityTooLarge, len(list), fmt.Sprintf("a request may have %d items", a.cfg.MaxItems))
	}
	items := make([][]byte, len(list))
	for i, item := range list {
		b, err := protocol.JSON.Append(nil, item)
		if err != nil {
			return nil, bad("items: %v", err)
		}
		if a.cfg.MaxItem > 0 && len(b) > a.cfg.MaxItem {
			return nil, refused(http.StatusRequestEntityTooLarge, len(list), fmt.Sprintf("item %d: an item may have %d bytes", i, a.cfg.MaxItem))
		}
		items[i] = b
	}
	return items, nil
}

// latestKey makes a number of the name of a value. It is never one of the small
// numbers that rooms use themselves.
func latestKey(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	return h.Sum64() | 1<<63
}
