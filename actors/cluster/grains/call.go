package grains

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"

	"github.com/shaddock-game/shaddock/actors/timer"
)

// callTry is how long one try of a call may take, and callPause the pause behind one
// that failed at once.
const (
	callTry   = 400 * time.Millisecond
	callPause = 20 * time.Millisecond
)

// Call asks a grain and returns its answer, until ctx ends. It is for use in place of
// cluster.Request, which gives the whole of its time to a first try: a message that
// was lost with a connection, or behind the end of a grain that moves, is never
// answered. A grain may therefore get a request twice, and one that takes longer than
// 0.4 s for its answer gets it again.
func (p *Placement) Call(ctx context.Context, identity, kind string, message any) (any, error) {
	var last error
	for ctx.Err() == nil {
		pid, ok := p.cluster.PidCache.Get(identity, kind)
		if !ok {
			if pid = p.cluster.Get(identity, kind); pid == nil {
				last = errors.New("it was not found")
				_ = timer.Sleep(ctx, callPause) // the loop looks at ctx
				continue
			}
			p.cluster.PidCache.Set(identity, kind, pid)
		}
		answer, err := p.cluster.ActorSystem.Root.RequestFuture(pid, message, callTry).Result()
		switch {
		case err == nil:
			return answer, nil
		case errors.Is(err, actor.ErrDeadLetter), errors.Is(err, remote.ErrDeadLetter):
			_ = timer.Sleep(ctx, callPause) // the loop looks at ctx
		case errors.Is(err, actor.ErrTimeout), errors.Is(err, remote.ErrTimeout):
		default:
			return nil, fmt.Errorf("call grain %s/%s: %w", kind, identity, err)
		}
		last = err
		p.cluster.PidCache.RemoveByValue(identity, kind, pid)
	}
	return nil, fmt.Errorf("call grain %s/%s: %w", kind, identity, errors.Join(ctx.Err(), last))
}
