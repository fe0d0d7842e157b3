/* SPDX-License-Identifier: Apache-2.0 */
/* Serves a layer made of the node's layers and a delta; if that fails, the registry's layer. */
#pragma once

#include "mirror/serving.h"

/* False: it cannot, and sent nothing. */
bool hf_made_begin(struct hf_serving *serving);
/* Sends what is made, while the client takes it. */
void hf_made_pump(struct hf_serving *serving);
