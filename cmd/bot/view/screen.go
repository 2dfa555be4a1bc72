package view

import (
	"fmt"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/shaddock-game/shaddock/cmd/bot/report"
)

// Screen is a live view of a whole terminal.
type Screen struct {
	program *tea.Program
	done    chan struct{} // closed when the terminal is given back
	err     error         // valid once done is closed
}

// Open takes the terminal over until Close. interrupt is called, once, when the
// user wants the run to end: a terminal in raw mode sends no signals.
func Open(in, out *os.File, p Plan, interrupt func()) *Screen {
	s := &Screen{done: make(chan struct{})}
	m := &model{board: newBoard(p), interrupt: interrupt}
	// Nothing moves between two samples: a high frame rate would only cost the
	// generator processor time that it needs itself.
	s.program = tea.NewProgram(m, tea.WithInput(in), tea.WithOutput(out), tea.WithFPS(10), tea.WithoutSignalHandler())
	go func() {
		defer close(s.done)
		_, s.err = s.program.Run()
	}()
	return s
}

// Sample shows the next second. It is cheap and safe from any goroutine.
func (s *Screen) Sample(sample report.Sample) { s.program.Send(sample) }

// Close gives the terminal back and waits for that.
func (s *Screen) Close() error {
	s.program.Quit()
	select {
	case <-s.done:
	case <-time.After(time.Second):
		s.program.Kill() // a terminal that no longer answers
		<-s.done
	}
	if s.err != nil {
		return fmt.Errorf("terminal view: %w", s.err)
	}
	return nil
}

// model is the screen as bubbletea sees it: it owns the board.
type model struct {
	board         *board
	width, height int
	ending        bool
	interrupt     func()
}

// Init implements tea.Model.
func (m *model) Init() tea.Cmd { return nil }

// Update implements tea.Model.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case report.Sample:
		m.board.add(msg)
	case tea.KeyPressMsg:
		if key := msg.String(); (key == "ctrl+c" || key == "q") && !m.ending {
			m.ending = true
			m.interrupt()
		}
	}
	return m, nil
}

// View implements tea.Model.
func (m *model) View() tea.View {
	if m.width == 0 {
		return tea.NewView("")
	}
	v := tea.NewView(m.board.draw(m.width, m.height, m.ending))
	v.AltScreen = true
	v.WindowTitle = "bot: " + m.board.plan.Scenario
	return v
}
