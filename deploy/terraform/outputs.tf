# SPDX-License-Identifier: Apache-2.0

output "user_data" {
  value       = local.user_data
  sensitive   = true
  description = "cloud-init's user-data. It has the token: treat it as a secret."
}

output "k3s_config" {
  value       = local.k3s_config
  description = "/etc/rancher/k3s/config.yaml of the node."
}
