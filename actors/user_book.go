package actors

// userBook is the users that one actor keeps, and that alone uses it.
type userBook struct {
	policy DuplicateLogin
	stats  *counters
	users  map[string]*userState
	uid    string // whom the message at hand is about
}

func newUserBook(a *App) userBook {
	return userBook{policy: a.cfg.Duplicates, stats: &a.stats, users: make(map[string]*userState)}
}

// open turns to a user, who need not be known. Settle is to follow.
func (b *userBook) open(uid string) (u *userState, known bool) {
	b.uid = uid
	u, known = b.users[uid]
	if !known {
		u = &userState{policy: b.policy}
	}
	return u, known
}

// settle remembers a user who has a session and forgets one who has none.
func (b *userBook) settle(known bool, u *userState) {
	switch empty := u.empty(); {
	case !empty && !known:
		b.users[b.uid] = u
		b.stats.Users.Add(1)
	case empty && known:
		delete(b.users, b.uid)
		b.stats.Users.Add(-1)
	}
}

// clear forgets all.
func (b *userBook) clear() {
	b.stats.Users.Add(-int64(len(b.users)))
	clear(b.users)
}
