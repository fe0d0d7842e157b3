# SPDX-License-Identifier: Apache-2.0
"""A real Kubernetes cluster on one machine: control plane and booted nodes in network namespaces of their own."""
