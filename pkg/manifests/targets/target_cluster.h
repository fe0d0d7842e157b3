/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/targets/target_cluster.h - the target Cluster. */
#pragma once

#include "manifests/targets/target.h"

extern const struct target_ops target_cluster;
