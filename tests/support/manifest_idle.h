/* SPDX-License-Identifier: Apache-2.0 */
/* support/manifest_idle.h - whether a manifest engine rests. */
#pragma once

#include <stdbool.h>

#include "manifests/engine.h"

/* No step runs, none is due, and each entry is at rest (hf_manifest_machine_rests()) with its record on disk. */
bool manifest_is_idle(const struct hf_manifest_engine *engine);
