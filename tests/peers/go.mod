module github.com/shaddock-game/shaddock/tests/peers

go 1.26.0

require (
	github.com/gobwas/ws v1.5.0
	github.com/lonng/nano v0.5.0
	golang.org/x/sys v0.49.0
)

require (
	github.com/gobwas/httphead v0.1.0 // indirect
	github.com/golang/protobuf v1.3.1 // indirect
	github.com/gorilla/websocket v1.4.0 // indirect
	golang.org/x/net v0.0.0-20190509222800-a4d6f7feada5 // indirect
	golang.org/x/text v0.3.2 // indirect
	google.golang.org/genproto v0.0.0-20190508193815-b515fa19cec8 // indirect
	google.golang.org/grpc v1.20.1 // indirect
)
