# SPDX-License-Identifier: Apache-2.0
# The user-data of one node: that of its role in ../cloud-init, with this node's values. No provider, so any cloud's machine takes it.

terraform {
  required_version = ">= 1.6"
}

locals {
  config_path = "/etc/rancher/k3s/config.yaml"
  token_path  = "/etc/rancher/k3s/token"
  trust       = "/etc/holdfast/trust.d/"

  base   = yamldecode(file("${path.module}/../cloud-init/user-data-${var.role}.yaml"))
  config = yamldecode(one([for f in local.base.write_files : f.content if f.path == local.config_path]))

  # key=value lists of K3s: what the caller gives replaces what the role has under the same key.
  labels  = merge({ for pair in local.config["node-label"] : split("=", pair)[0] => trimprefix(pair, "${split("=", pair)[0]}=") }, var.labels)
  kubelet = merge({ for pair in local.config["kubelet-arg"] : split("=", pair)[0] => trimprefix(pair, "${split("=", pair)[0]}=") }, var.kubelet_args)

  k3s_config = yamlencode(merge(local.config, {
    server        = var.server
    "node-label"  = [for key, value in local.labels : "${key}=${value}"]
    "kubelet-arg" = [for key, value in local.kubelet : "${key}=${value}"]
  }))

  # The role's keys are examples: only the caller's are trusted.
  files = concat(
    [for f in local.base.write_files : merge(f, {
      content = f.path == local.config_path ? local.k3s_config : f.path == local.token_path ? "${var.token}\n" : f.content
    }) if !startswith(f.path, local.trust)],
    [for name, key in var.trusted_keys : { path = "${local.trust}${name}.pem", permissions = "0644", content = key }],
  )

  # ../cloud-init says once how K3s is fetched and checked; here are other values of its address and hash.
  fetch = [for word in local.base.runcmd[0] : word == reverse(local.base.runcmd[0])[0] ? var.k3s.url : word]
  check = [for word in local.base.runcmd[1] : replace(word, "/'[0-9a-f]{64}  /", "'${var.k3s.sha256}  ")]

  user_data = "#cloud-config\n${yamlencode(merge(local.base, { write_files = local.files, runcmd = [local.fetch, local.check] }))}"
}
