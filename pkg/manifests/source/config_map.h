/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the bundle of a ConfigMap or Secret, a file for each key. Pure. */
#pragma once

#include "codec/json.h"
#include "manifests/source/bundle.h"
#include "manifests/source/failure.h"

/* `secret`: makes a secret bundle of a Secret's `data`; otherwise one of `data` and `binaryData`. *failure:
 * SourceEmpty, SourceTooLarge, SourceInvalid, SourceUnreachable (no memory); never quotes a value. */
HF_MUST_USE int hf_config_map_bundle(const json_t *object, bool secret, struct hf_bundle **ret_bundle,
                                     struct hf_source_failure *failure);
