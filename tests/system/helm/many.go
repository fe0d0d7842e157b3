// SPDX-License-Identifier: Apache-2.0

// Helm's commands, many in one process: each line of standard input is {"args": [...]}, and each line of standard output is
// {"code": 0, "out": "", "errors": ""}, which `helm` with these arguments would exit with and print. Starting Helm takes half of what a
// command costs. Helm keeps global flags from command to command: each command gets a namespace, and may have no other such flag.
package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"slices"

	helm "helm.sh/helm/v4/pkg/cmd"
)

type answer struct {
	Code   int    `json:"code"`
	Out    string `json:"out"`
	Errors string `json:"errors"`
}

func run(args []string) answer {
	var out, errors bytes.Buffer
	if !slices.Contains(args, "-n") {
		args = append(args, "-n", "default")
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(&errors, nil)))
	command, err := helm.NewRootCmd(&out, args, func(bool) {})
	if err == nil {
		command.SetArgs(args)
		command.SetOut(&out)
		command.SetErr(&errors)
		err = command.Execute()
	}
	code := 0
	if err != nil {
		code = 1
	}
	return answer{code, out.String(), errors.String()}
}

func main() {
	requests, answers := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	answers.SetEscapeHTML(false)
	for {
		var request struct{ Args []string }
		if requests.Decode(&request) != nil {
			return
		}
		if answers.Encode(run(request.Args)) != nil {
			os.Exit(1)
		}
	}
}
