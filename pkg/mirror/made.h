/* SPDX-License-Identifier: Apache-2.0 */
/* A serving whose layer is made from layers of the node and a delta; else, or when that fails, the registry has it. */
#pragma once

#include "mirror/serving.h"

/* False: there is no delta for it; nothing has happened. */
bool hf_made_begin(struct hf_serving *serving);
/* The client takes bytes again. */
void hf_made_pump(struct hf_serving *serving);
