// SPDX-License-Identifier: Apache-2.0

//go:build tools

package main

import _ "github.com/opencontainers/distribution-spec/conformance" // so that go.mod keeps what build makes
