/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/without/without.h"
#include "pack/codec/codec.h"

HF_FEATURE_LEFT_OUT(repack);

/* A delta of packed content cannot be applied: the release's whole artifact is fetched in its place. */
HF_FEATURE_RETURNS(const struct pack_codec_ops *pack_codec_ops(enum pack_codec codec), NULL);
