// Decodes what hotpath makes for Grafana by Grafana's own models: a field that they do not know, and one that they
// require and do not get, is an error.
//
// Standard input is a JSON array of {"kind": ..., "body": ...}; each that is wrong is a line of standard output.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/go-openapi/strfmt"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-openapi-client-go/models"
)

type given struct {
	Kind string          `json:"kind"`
	Body json.RawMessage `json:"body"`
}

type validated interface {
	Validate(formats strfmt.Registry) error
}

var ofInterface = map[string]func() validated{
	"CreateFolderCommand":     func() validated { return &models.CreateFolderCommand{} },
	"AddDataSourceCommand":    func() validated { return &models.AddDataSourceCommand{} },
	"UpdateDataSourceCommand": func() validated { return &models.UpdateDataSourceCommand{} },
	"SaveDashboardCommand":    func() validated { return &models.SaveDashboardCommand{} },
	"AlertRuleGroup":          func() validated { return &models.AlertRuleGroup{} },
}

// The SDK gives errors that hold none, and decodes a panel's field configuration without strictness.
func wrongIn(errs ...error) error {
	for _, err := range errs {
		if err != nil && err.Error() != "" {
			return err
		}
	}
	return nil
}

func checkDashboard(body []byte) error {
	var made dashboard.Dashboard
	var raw struct {
		Panels []struct {
			FieldConfig json.RawMessage `json:"fieldConfig"`
		} `json:"panels"`
	}
	if err := wrongIn(made.UnmarshalJSONStrict(body), json.Unmarshal(body, &raw)); err != nil {
		return err
	}
	for _, panel := range raw.Panels {
		var config dashboard.FieldConfigSource
		if err := wrongIn(config.UnmarshalJSONStrict(panel.FieldConfig)); err != nil {
			return err
		}
	}
	return wrongIn(made.Validate())
}

func check(each given) error {
	if each.Kind == "Dashboard" {
		return checkDashboard(each.Body)
	}
	model, known := ofInterface[each.Kind]
	if !known {
		return fmt.Errorf("no such model")
	}
	made, decoder := model(), json.NewDecoder(bytes.NewReader(each.Body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(made); err != nil {
		return err
	}
	return made.Validate(strfmt.Default)
}

func main() {
	plugins.RegisterDefaultPlugins()
	var all []given
	if err := json.NewDecoder(os.Stdin).Decode(&all); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	for place, each := range all {
		if err := check(each); err != nil {
			fmt.Printf("%d %s: %s\n", place, each.Kind, strings.ReplaceAll(err.Error(), "\n", "; "))
		}
	}
}
