// Package report is what the bot says about a run: the result with its schema,
// the time series, thresholds, comparison, and the forms in which they leave
// (JSON, CSV, HTML, a table). It opens no socket, so that a result read from a
// file and one just measured are the same thing.
//
// A [Result] keeps every histogram whole (HdrHistogram, V2 compressed), next to
// the few quantiles that people read. Results of several generators therefore
// merge without error: the histogram of the merged result is the histogram of
// all recorded values. Averages of quantiles, which many tools print, are not
// quantiles of anything.
package report
