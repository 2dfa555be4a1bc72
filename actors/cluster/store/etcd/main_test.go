package etcd_test

import (
	"os"
	"testing"

	"github.com/shaddock-game/shaddock/actors/cluster/store/etcd/etcdtest"
)

func TestMain(m *testing.M) { os.Exit(etcdtest.Main(m)) }
