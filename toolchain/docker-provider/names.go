package main

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
)

// shape is the type of a property: "string", "number", "boolean", "list", "map" or "object".
type shape struct {
	Type   string           `json:"type"`
	Items  *shape           `json:"items,omitempty"`
	Fields map[string]shape `json:"fields,omitempty"`
}

// description lists the names under which a program sees this provider.
type description struct {
	Config    map[string]shape    `json:"config"`
	Resources map[string]resource `json:"resources"`
}

type resource struct {
	Inputs  map[string]shape `json:"inputs"`
	Outputs map[string]shape `json:"outputs"`
}

func describe(info tfbridge.ProviderInfo) description {
	result := description{
		Config:    fieldsOf(info.P.Schema(), info.Config, settable),
		Resources: map[string]resource{},
	}
	for name, custom := range info.Resources {
		schema := info.P.ResourcesMap().Get(name).Schema()
		result.Resources[string(custom.Tok)] = resource{
			Inputs:  fieldsOf(schema, custom.Fields, settable),
			Outputs: fieldsOf(schema, custom.Fields, always),
		}
	}
	return result
}

func settable(s shim.Schema) bool { return s.Optional() || s.Required() }

func always(shim.Schema) bool { return true }

func fieldsOf(
	schema shim.SchemaMap, custom map[string]*tfbridge.SchemaInfo, include func(shim.Schema) bool,
) map[string]shape {
	fields := map[string]shape{}
	schema.Range(func(key string, value shim.Schema) bool {
		if include(value) && value.Removed() == "" {
			fields[tfbridge.TerraformToPulumiNameV2(key, schema, custom)] = shapeOf(value, custom[key], include)
		}
		return true
	})
	return fields
}

func shapeOf(s shim.Schema, custom *tfbridge.SchemaInfo, include func(shim.Schema) bool) shape {
	element := func() shape {
		var inner *tfbridge.SchemaInfo
		if custom != nil {
			inner = custom.Elem
		}
		switch elem := s.Elem().(type) {
		case shim.Schema:
			return shapeOf(elem, inner, include)
		case shim.Resource:
			var fields map[string]*tfbridge.SchemaInfo
			if inner != nil {
				fields = inner.Fields
			}
			return shape{Type: "object", Fields: fieldsOf(elem.Schema(), fields, include)}
		}
		return shape{Type: "string"}
	}
	switch s.Type() {
	case shim.TypeBool:
		return shape{Type: "boolean"}
	case shim.TypeInt, shim.TypeFloat:
		return shape{Type: "number"}
	case shim.TypeList, shim.TypeSet:
		items := element()
		if tfbridge.IsMaxItemsOne(s, custom) {
			return items
		}
		return shape{Type: "list", Items: &items}
	case shim.TypeMap:
		items := element()
		if items.Type == "object" {
			return items
		}
		return shape{Type: "map", Items: &items}
	default:
		return shape{Type: "string"}
	}
}
