/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/source/config_map.h - makes a bundle of a ConfigMap or a Secret: each key is a file. Pure. Threads: any. */
#pragma once

#include "codec/json.h"
#include "manifests/source/bundle.h"
#include "manifests/source/failure.h"

/* Makes a sealed bundle. If `secret` is true, `object` is a Secret: the function uses its `data`, and makes a secret
 * bundle. Otherwise `object` is a ConfigMap, and the function uses `data` and `binaryData`. Returns 0, or -errno with
 * one of these reasons in *failure: SourceEmpty, SourceTooLarge, SourceInvalid (a key is not a valid file name, or a
 * value is not valid), or SourceUnreachable if memory runs out. *failure never quotes a value. */
HF_MUST_USE int hf_config_map_bundle(const json_t *object, bool secret, struct hf_bundle **ret_bundle,
                                     struct hf_source_failure *failure);
