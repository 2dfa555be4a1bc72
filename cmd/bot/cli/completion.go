package cli

import (
	kongcompletion "github.com/jotaen/kong-completion"
	"github.com/posener/complete"

	"github.com/shaddock-game/shaddock/cmd/bot/scenario"
)

// predictors complete what the grammar itself does not know: the values of
// flags that are neither a set nor a path.
func predictors() []kongcompletion.Option {
	builtin := complete.PredictSet(scenario.Builtins()...)
	return []kongcompletion.Option{
		kongcompletion.WithPredictor("builtin", builtin),
		kongcompletion.WithPredictor("scenario", complete.PredictOr(builtin, complete.PredictFiles("*.yaml"), complete.PredictFiles("*.yml"))),
		kongcompletion.WithPredictor("json", complete.PredictFiles("*.json")),
	}
}
