package actors

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"slices"
)

// The hooks of components.
const (
	hookInit           = "Init"
	hookAfterInit      = "AfterInit"
	hookBeforeShutdown = "BeforeShutdown"
	hookShutdown       = "Shutdown"
)

var hookNames = []string{hookInit, hookAfterInit, hookBeforeShutdown, hookShutdown}

// hook returns a component's hook in its widest form; nil when it has none, and
// false when the method of that name is none.
func (c *component) hook(name string) (f func(context.Context) error, ok bool) {
	m := reflect.ValueOf(c.value).MethodByName(name)
	if !m.IsValid() {
		return nil, true
	}
	switch h := m.Interface().(type) {
	case func():
		return func(context.Context) error { h(); return nil }, true
	case func() error:
		return func(context.Context) error { return h() }, true
	case func(context.Context) error:
		return h, true
	}
	return nil, false
}

func (a *App) checkHooks(c *component) {
	for _, name := range hookNames {
		if _, ok := c.hook(name); !ok {
			m := reflect.ValueOf(c.value).MethodByName(name)
			if m.Type().NumIn() > 0 && m.Type().In(0) == reflect.TypeFor[*Ctx]() {
				continue // a handler that bears this name
			}
			a.fail("component %T: the hook %s is %v: make it func(context.Context) error, or rename it", c.value, name, m.Type())
		}
	}
}

// run calls one hook and waits for it, but no longer than it may take.
func (a *App) hook(ctx context.Context, c *component, name string) error {
	f, _ := c.hook(name)
	if f == nil {
		return nil
	}
	if a.cfg.HookTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, a.cfg.HookTimeout)
		defer cancel()
	}
	done := make(chan error, 1)
	go func() { // a hook that does not heed its context is left behind
		defer func() {
			if p := recover(); p != nil {
				a.stats.Panics.Add(1)
				done <- fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		done <- f(ctx)
	}()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		select {
		case err = <-done: // it did heed it
		default:
			err = ctx.Err()
		}
	}
	if err != nil {
		return fmt.Errorf("component %s: %s: %w", c.name, name, err)
	}
	return nil
}

// begin brings the components up: all Init, then all AfterInit. When one fails,
// those that have come up are shut down again.
func (a *App) begin() error {
	ctx := context.Background()
	for i, c := range a.components {
		if err := a.hook(ctx, c, hookInit); err != nil {
			return errors.Join(err, a.shutdownHooks(ctx, a.components[:i]))
		}
	}
	for _, c := range a.components {
		err := a.hook(ctx, c, hookAfterInit)
		if err != nil {
			return errors.Join(err, a.shutdownHooks(ctx, a.components))
		}
		if c.desk != nil {
			c.desk.open()
		}
	}
	a.running.Store(true)
	return nil
}

// beforeShutdown calls the hooks of that name, once.
func (a *App) beforeShutdown(ctx context.Context) error {
	if !a.running.CompareAndSwap(true, false) {
		return nil
	}
	a.hooked = true
	var errs []error
	for _, c := range slices.Backward(a.components) {
		errs = append(errs, a.hook(ctx, c, hookBeforeShutdown))
	}
	return errors.Join(errs...)
}

// Finish shuts the components down in the reverse order of their registration: what
// they hold, such as a database, is needed until sessions and rooms have ended. It
// belongs behind Shutdown and the rooms' stop, and does nothing where Shutdown was
// not called, or the second time. All hooks are called, whatever fails; the error
// names each that did.
func (a *App) Finish(ctx context.Context) error {
	if !a.hooked {
		return nil
	}
	a.hooked = false
	return a.shutdownHooks(ctx, a.components)
}

func (a *App) shutdownHooks(ctx context.Context, cs []*component) error {
	var errs []error
	for _, c := range slices.Backward(cs) {
		if c.desk != nil {
			errs = append(errs, c.desk.close(ctx))
		}
		errs = append(errs, a.hook(ctx, c, hookShutdown))
	}
	return errors.Join(errs...)
}
