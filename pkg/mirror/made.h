/* SPDX-License-Identifier: Apache-2.0 */
/* Serves a layer that the node makes from its own layers and a delta or, if that fails, the registry's layer. */
#pragma once

#include "mirror/serving.h"

/* Returns false if the layer cannot be made; nothing was sent then. */
bool hf_made_begin(struct hf_serving *serving);
/* Sends what is made, until the client has enough. */
void hf_made_pump(struct hf_serving *serving);
