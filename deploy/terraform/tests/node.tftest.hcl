# SPDX-License-Identifier: Apache-2.0

variables {
  server       = "https://k3s.example.com:6443"
  token        = "REPLACE"
  k3s          = { url = "https://releases.example.com/k3s-amd64", sha256 = "0000000000000000000000000000000000000000000000000000000000000000" }
  trusted_keys = { "release-2026" = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAPqfS+OHXDWKHzemy+V8Szffqt8ivr8IWinqfwG3Ym7M=\n-----END PUBLIC KEY-----\n" }
}

run "with_the_values_of_the_description_it_is_the_user_data_of_the_edge_role" {
  command = apply
  assert {
    condition     = startswith(output.user_data, "#cloud-config\n")
    error_message = "cloud-init reads the first line"
  }
  assert {
    condition = (
      [for f in yamldecode(output.user_data).write_files : f if f.path != "/etc/rancher/k3s/config.yaml"] ==
      [for f in yamldecode(file("../cloud-init/user-data-edge.yaml")).write_files : f if f.path != "/etc/rancher/k3s/config.yaml"]
    )
    error_message = "files differ"
  }
  assert {
    condition     = yamldecode(output.user_data).runcmd == yamldecode(file("../cloud-init/user-data-edge.yaml")).runcmd
    error_message = "commands differ"
  }
  assert {
    condition = alltrue([for key in ["server", "token-file"] :
    yamldecode(output.k3s_config)[key] == yamldecode(file("../k3s/k3s-edge-config.yaml"))[key]])
    error_message = "K3s' configuration differs"
  }
  assert {
    condition = alltrue([for key in ["node-label", "kubelet-arg"] :
    toset(yamldecode(output.k3s_config)[key]) == toset(yamldecode(file("../k3s/k3s-edge-config.yaml"))[key])])
    error_message = "K3s' labels or arguments of the kubelet differ"
  }
}

run "the_other_role" {
  command = apply
  variables {
    role = "agent"
  }
  assert {
    condition     = toset(yamldecode(output.k3s_config)["kubelet-arg"]) == toset(yamldecode(file("../k3s/k3s-agent-config.yaml"))["kubelet-arg"])
    error_message = "arguments of the kubelet differ"
  }
}

run "values_of_the_node" {
  command = apply
  variables {
    token        = "K10abc::node:secret"
    k3s          = { url = "https://mirror.example.com/k3s-arm64", sha256 = "8a8d0ffe9d0ba1a4c1bd1a6d7ff3f3dc4a3d2b4ae0a4f39e16c2ee18b6a9b9f1" }
    labels       = { site = "store-17", "edge.codcompass.io/role" = "till" }
    kubelet_args = { "max-pods" = "20" }
    trusted_keys = { "ours" = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n" }
  }
  assert {
    condition     = toset(yamldecode(output.k3s_config)["node-label"]) == toset(["site=store-17", "edge.codcompass.io/role=till"])
    error_message = "labels"
  }
  assert {
    condition     = contains(yamldecode(output.k3s_config)["kubelet-arg"], "max-pods=20") && length(yamldecode(output.k3s_config)["kubelet-arg"]) == 3
    error_message = "arguments of the kubelet"
  }
  assert {
    condition     = [for f in yamldecode(output.user_data).write_files : f.path if startswith(f.path, "/etc/holdfast/")] == ["/etc/holdfast/trust.d/ours.pem"]
    error_message = "only the caller's keys are trusted"
  }
  assert {
    condition     = one([for f in yamldecode(output.user_data).write_files : f if f.path == "/etc/rancher/k3s/token"]) == { path = "/etc/rancher/k3s/token", permissions = "0600", content = "K10abc::node:secret\n" }
    error_message = "token"
  }
  assert {
    condition = (reverse(yamldecode(output.user_data).runcmd[0])[0] == "https://mirror.example.com/k3s-arm64" &&
    strcontains(yamldecode(output.user_data).runcmd[1][2], "echo '8a8d0ffe9d0ba1a4c1bd1a6d7ff3f3dc4a3d2b4ae0a4f39e16c2ee18b6a9b9f1  /usr/local/bin/k3s.new' | sha256sum -c"))
    error_message = "K3s"
  }
}

run "an_unknown_role" {
  command = plan
  variables {
    role = "compute"
  }
  expect_failures = [var.role]
}

run "a_hash_that_is_shell" {
  command = plan
  variables {
    k3s = { url = "https://mirror.example.com/k3s", sha256 = "'; reboot; '" }
  }
  expect_failures = [var.k3s]
}

run "no_key" {
  command = plan
  variables {
    trusted_keys = {}
  }
  expect_failures = [var.trusted_keys]
}

run "a_private_key" {
  command = plan
  variables {
    trusted_keys = { oops = "-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----\n" }
  }
  expect_failures = [var.trusted_keys]
}

run "an_unsafe_server" {
  command = plan
  variables {
    server = "http://k3s.example.com:6443"
  }
  expect_failures = [var.server]
}
