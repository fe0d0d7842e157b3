// SPDX-License-Identifier: Apache-2.0

//go:build tools

// Package programs names what build makes, so that go.mod keeps it.
package programs

import (
	_ "github.com/containerd/containerd/v2/cmd/containerd"
	_ "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2"
	_ "github.com/containerd/containerd/v2/cmd/ctr"
)
