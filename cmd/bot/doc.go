// Command bot loads a pomelo server with sessions that chat, ask or idle, on an
// open schedule, and reports the latencies that players would have seen.
package main
