// Validates a dashboard against Grafana's published schema: no unknown field, no wrong type and no missing field in the dashboard, its
// variables, its queries, and the options of each kind of panel.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	plugins.RegisterDefaultPlugins()
	if err := check(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

func check(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	// For some fields the library returns an empty list of errors and skips the field, so the text is also read without strictness below.
	if err := dashboard.NewDashboard().UnmarshalJSONStrict(text); err != nil && err.Error() != "" {
		return err
	}
	read := dashboard.NewDashboard()
	if err := json.Unmarshal(text, read); err != nil {
		return err
	}
	if err := read.Validate(); err != nil && err.Error() != "" {
		return err
	}
	panels := 0
	for _, one := range read.Panels {
		if one.Panel == nil {
			continue
		}
		panels++
		if _, known := cog.ConfigForPanelcfgVariant(one.Panel.Type); !known {
			return fmt.Errorf("no kind of panel is called %q", one.Panel.Type)
		}
	}
	fmt.Printf("%s: %d panels, valid\n", path, panels)
	return nil
}
