// Command bot loads a game server that speaks the pomelo protocol (shaddock,
// nano, pitaya, cherry, pomelo) and reports what its players would have felt.
//
// # Method
//
// Most load tools are closed loops: each client sends, waits for the answer and
// sends again, and the report is an average of what was answered. Such a tool
// slows down together with the server it measures. While a server stands still
// for a second, a closed loop of ten clients sends nothing and writes down ten
// slow answers; a thousand players who were about to act in that second do not
// appear at all. This has a name, coordinated omission, and it makes the worst
// moments of a server look like its rarest.
//
// The bot plans ahead instead. The moments of all acts are laid down by a
// schedule (package pace) before any of them happens, as players do not wait for
// each other either, and every latency counts from the planned moment: to the
// answer for a request, to each receiver for a push. The second in which the
// server stood still is then reported with everyone who waited in it.
//
// An open schedule can outrun the generator. How many acts began more than 5 ms
// behind their plan (late), the distribution of that delay (lag) and the
// generator's own use of the processor stand in every report, with a warning
// where they make the numbers the generator's and not the server's.
//
// What a server relays is numbered by its sender and accounted for by each
// receiver (package measure): a delivery is received, lost, duplicated or out of
// order, and the four are never mixed. Latencies are kept in histograms of three
// digits over nine decades (HdrHistogram), whole, so that the results of several
// processes or machines merge without error. Quantiles are never averaged.
//
// # Use
//
//	bot                                        the chat scenario against a local server
//	bot --addr tcp://game.example.com:3010 -s echo -n 500 --rate 5000 --duration 1m
//	bot -s game.yaml --ramp 30s --arrivals poisson --html run.html
//	bot -n 50000 -s idle --procs 3             more sessions than one process may have
//	bot --fail-if 'push.p99>100ms' --fail-if 'lost>0'
//	bot compare before.json after.json         ratios
//	bot report east.json west.json             two generators' results as one
//	bot scenarios chat > game.yaml             a file to start from
//
// `bot run --help` lists every flag. Scenarios are YAML files, described in
// package scenario; the built-in ones are such files too.
//
// # What comes out
//
// On a terminal a screen shows the run while it goes on; elsewhere a line per
// second goes to stderr (--live). At the end a table goes to stdout. --json
// writes the whole result (schema 1, package report), --csv the time series,
// --html one page with charts that needs no network.
//
// A threshold is a value, an operator and a limit: 'push.p99>100ms',
// 'request[room.join].errors>0', 'lost>0', 'server.cpu_per_op>12us'. Metrics are
// named by their kind alone (push: all routes together) or with the route in
// brackets. A latency that was never measured breaches every threshold on it. A
// run without --fail-if takes those of its scenario, or fails on anything lost,
// duplicated, out of order, refused or dropped.
//
// The exit code is 0 when all is well, 1 when the run could not be made, 2 when
// the command line makes no sense (found before the first connection), and 99
// when a threshold was breached. An interrupted run (^C, SIGTERM) reports and
// judges what it has.
//
// RESULTS.md beside this file holds figures and how to reproduce them.
package main
