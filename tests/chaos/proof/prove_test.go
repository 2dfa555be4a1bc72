package proof

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A run in a few lines: rooms' words, then callers'. The first word of a line is
// when, in milliseconds; a room's word is
//
//	opened LIFE EPOCH SEQ [caller=n,…]
//	done|again LIFE EPOCH SEQ caller:n
//
// and a caller's, whose name comes first,
//
//	1 joined LIFE EPOCH SEQ            1 got LIFE EPOCH SEQ caller:n [again]
//	1 heard LIFE EPOCH SEQ caller:n    1 resync | cut | went
//	1 refused not-in                   1 final SEQ caller=n,…
const good = `
0 opened a 10 0
1 done a 10 1 1:1
2 done a 10 2 2:1
20 opened b 20 2 1=1,2=1
21 again b 20 2 2:1
22 done b 20 3 1:2
--
0 1 joined a 10 0
0 2 joined a 10 0
2 1 heard a 10 1 1:1
2 1 got a 10 1 1:1
3 2 heard a 10 1 1:1
3 1 heard a 10 2 2:1
4 2 heard a 10 2 2:1
22 2 got b 20 2 2:1 again
23 1 heard b 20 3 1:2
23 2 heard b 20 3 1:2
23 1 got b 20 3 1:2
30 1 final 3 1=2,2=1
`

func parse(t *testing.T, kept bool, run string) (rooms, callers []Event) {
	t.Helper()
	ofRooms := true
	for line := range strings.Lines(run) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if f[0] == "--" {
			ofRooms = false
			continue
		}
		var e Event
		scan(t, f[0], "%d", &e.At)
		e.At *= 1e6
		e.Room, e.Kept, e.Gate = "r", kept, "g"
		if f = f[1:]; !ofRooms {
			scan(t, f[0], "%d", &e.From)
			f = f[1:]
		}
		e.What = f[0]
		fields(t, &e, f[1:])
		if ofRooms {
			rooms = append(rooms, e)
		} else {
			callers = append(callers, e)
		}
	}
	return rooms, callers
}

func fields(t *testing.T, e *Event, f []string) {
	t.Helper()
	if e.What != Final && len(f) >= 3 {
		e.Life = f[0]
		scan(t, f[1], "%d", &e.Epoch)
		f = f[2:]
	}
	for _, w := range f {
		switch {
		case strings.Contains(w, ":"):
			scan(t, w, "%d:%d", &e.By, &e.N)
		case strings.Contains(w, "="):
			e.Last = make(map[int]uint64)
			for _, p := range strings.Split(w, ",") {
				var by int
				var n uint64
				scan(t, p, "%d=%d", &by, &n)
				e.Last[by] = n
			}
		case w[0] >= '0' && w[0] <= '9':
			scan(t, w, "%d", &e.Seq)
		default:
			e.Note = strings.ReplaceAll(w, "-", " ")
		}
	}
}

func scan(t *testing.T, s, format string, to ...any) {
	t.Helper()
	if _, err := fmt.Sscanf(s, format, to...); err != nil {
		t.Fatalf("%q: %v", s, err)
	}
}

func TestGoodRun(t *testing.T) {
	for _, kept := range []bool{false, true} {
		rooms, callers := parse(t, kept, good)
		if faults := Prove(rooms, callers, nil); len(faults) > 0 {
			t.Errorf("kept %v: faults in a good run: %v", kept, faults)
		}
	}
}

// Each fault planted into the good run is found, and nothing else.
func TestPlantedFaults(t *testing.T) {
	for _, c := range []struct {
		name, was, is string
		kept          bool
		want          []string
	}{
		{"an old activation answers after a new one", "2 done a 10 2 2:1", "23 done a 10 2 2:1", false, []string{Double}},
		{"two lives have one epoch", "22 done b 20 3", "22 done b 10 3", false, []string{Double}},
		{"nobody gave the answer", "1 done a 10 1 1:1\n", "", false, []string{Forged, Forged, Forged}},
		{"carried out twice", "2 done a 10 2 2:1\n", "2 done a 10 2 2:1\n3 done a 10 3 2:1\n", false, []string{Twice}},
		{"asked twice", "2 done a 10 2 2:1\n", "2 done a 10 2 2:1\n3 again a 10 2 2:1\n", false, []string{Twice}},
		{"repeated across lives, which may be", "21 again b 20 2 2:1\n", "21 done b 20 2 2:1\n", false, nil},
		{"lost at the move", "20 opened b 20 2 1=1,2=1", "20 opened b 20 2 1=1", true, []string{Lost}},
		{"lost, which rooms that are not kept may", "20 opened b 20 2 1=1,2=1", "20 opened b 20 2", false, nil},
		{"the count went back", "20 opened b 20 2 1=1,2=1", "20 opened b 20 1 1=1,2=1", true, []string{Lost, Gap, Gap}},
		{"lost in the end", "final 3 1=2,2=1", "final 3 1=1,2=1", true, []string{Lost}},
		{"an inversion", "3 2 heard a 10 1 1:1\n3 1 heard a 10 2 2:1\n4 2 heard a 10 2 2:1", "3 2 heard a 10 2 2:1\n3 2 resync\n3 1 heard a 10 2 2:1\n4 2 heard a 10 1 1:1", false, []string{Order}},
		{"heard twice", "3 2 heard a 10 1 1:1", "3 2 heard a 10 1 1:1\n3 2 heard a 10 1 1:1", false, []string{Order}},
		{"from an older epoch", "23 2 heard b 20 3 1:2", "23 2 heard b 20 3 1:2\n24 2 heard a 10 2 2:1", false, []string{Order}},
		{"a gap", "3 2 heard a 10 1 1:1\n", "", false, []string{Gap}},
		{"a gap with its report before", "3 2 heard a 10 1 1:1\n", "3 2 resync\n", false, nil},
		{"a gap with its report behind", "3 2 heard a 10 1 1:1\n3 1 heard a 10 2 2:1\n4 2 heard a 10 2 2:1", "3 1 heard a 10 2 2:1\n4 2 heard a 10 2 2:1\n5 2 resync", false, nil},
		{"a report of long ago", "0 2 joined a 10 0\n2 1 heard a 10 1 1:1\n2 1 got a 10 1 1:1\n3 2 heard a 10 1 1:1", "0 2 resync\n1 2 joined a 10 0\n2 1 heard a 10 1 1:1\n2 1 got a 10 1 1:1\n", false, []string{Gap}},
		{"a report that comes too late", "3 2 heard a 10 1 1:1\n3 1 heard a 10 2 2:1\n4 2 heard a 10 2 2:1\n", "3 1 heard a 10 2 2:1\n4 2 heard a 10 2 2:1\n2100 2 resync\n", false, []string{Gap}},
		{"the end of a life was missed", "4 2 heard a 10 2 2:1\n", "", false, []string{Gap}},
		{"the beginning of a life was missed", "20 opened b 20 2 1=1,2=1", "20 opened b 20 1 1=1", false, []string{Gap, Gap}},
		{"answered ahead of what was said", "2 1 heard a 10 1 1:1\n2 1 got a 10 1 1:1", "2 1 got a 10 1 1:1\n2 1 heard a 10 1 1:1", false, []string{Early}},
		{"answered what had been missed and reported", "2 1 heard a 10 1 1:1\n2 1 got a 10 1 1:1", "2 1 resync\n2 1 got a 10 1 1:1", false, nil},
		{"put out", "30 1 final 3", "29 1 refused not-in\n30 1 final 3", false, []string{Expelled}},
		{"a connection lost", "30 1 final 3", "29 1 cut\n30 1 final 3", false, []string{Dropped}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(good, c.was) {
				t.Fatalf("the good run has no %q", c.was)
			}
			rooms, callers := parse(t, c.kept, strings.Replace(good, c.was, c.is, 1))
			var got []string
			for _, f := range Prove(rooms, callers, nil) {
				got = append(got, f.Rule)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("found %v, want %v", Prove(rooms, callers, nil), c.want)
			}
		})
	}
}

func TestOutageExcusesConnections(t *testing.T) {
	rooms, callers := parse(t, false, good+"40 1 cut\n")
	for _, c := range []struct {
		what string
		o    Outage
		want int
	}{
		{"its gate was killed", Outage{"g", 39e6, 41e6}, 0},
		{"it was noticed a moment later", Outage{"g", 10e6, 39e6}, 0},
		{"another gate was", Outage{"h", 39e6, 41e6}, 1},
		{"it was afterwards", Outage{"g", 41e6, 50e6}, 1},
	} {
		if got := Prove(rooms, callers, []Outage{c.o}); len(got) != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
	}
}

// A log is whole up to where its process was killed.
func TestLogOfKilledProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	for range 2 { // the process was started again
		l, err := Create(path)
		if err != nil {
			t.Fatal(err)
		}
		l.Write(Event{At: Now(), What: Done, Room: "r", N: 7, Last: map[int]uint64{3: 4}})
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	l, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.file.WriteString(`{"at":12,"wha`); err != nil {
		t.Fatal(err)
	}
	l.Close()
	got, err := Read(path)
	if err != nil || len(got) != 2 || got[1].N != 7 || got[1].Last[3] != 4 {
		t.Fatalf("read %v, %v", got, err)
	}
}
