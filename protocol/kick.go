package protocol

import "encoding/json"

// AppendKick appends a whole kick package, {"reason":"…","code":n}, and returns
// the longer slice. An empty text is r's own. The body is never empty:
// JSON.parse("") throws in JavaScript clients.
func AppendKick(dst []byte, r Reason, text string) []byte {
	if text == "" {
		text = r.Text()
	}
	dst, mark := BeginPacket(dst, Kick)
	body := beginObject(dst)
	body.text("reason", text)
	body.number("code", int64(r.Code()))
	return EndPacket(body.end(), mark)
}

// ParseKick parses the body of a kick, as a client does. A code that is missing,
// as from other servers, or unknown is ReasonKicked. The error is a *DecodeError.
func ParseKick(body []byte) (r Reason, text string, err error) {
	var in struct {
		Reason string
		Code   int
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return ReasonNone, "", &DecodeError{Layer: "kick", Rule: "a JSON object", Reason: ReasonProtocol, Err: err}
	}
	if in.Code <= 0 || in.Code >= NumReasons {
		return ReasonKicked, in.Reason, nil
	}
	return Reason(in.Code), in.Reason, nil
}
