/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/targets/target_pods.h - the target StaticPods. */
#pragma once

#include "manifests/targets/target.h"

extern const struct target_ops target_pods;
