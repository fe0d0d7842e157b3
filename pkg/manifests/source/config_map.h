/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle of a ConfigMap or Secret: each key is a file. Pure. */
#pragma once

#include "codec/json.h"
#include "manifests/source/bundle.h"
#include "manifests/source/failure.h"

/* Makes a sealed bundle. `secret`: of a Secret's `data`, as a secret bundle; else of `data` and `binaryData`. *failure:
 * SourceEmpty, SourceTooLarge, SourceInvalid (key or value), SourceUnreachable (no memory); never quotes a value. */
HF_MUST_USE int hf_config_map_bundle(const json_t *object, bool secret, struct hf_bundle **ret_bundle,
                                     struct hf_source_failure *failure);
