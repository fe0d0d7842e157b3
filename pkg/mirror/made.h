/* SPDX-License-Identifier: Apache-2.0 */
/* Serves a layer made of the node's layers and a delta; else, or when that fails, the registry's. */
#pragma once

#include "mirror/serving.h"

/* False: no delta; nothing happened. */
bool hf_made_begin(struct hf_serving *serving);
/* The client takes bytes again. */
void hf_made_pump(struct hf_serving *serving);
