/* SPDX-License-Identifier: Apache-2.0 */
/* Drop copies that cost more bytes than they save. Creating only. */
#pragma once

#include "delta/match/copies.h"

/* Pass both files with blank references, as the matcher read them. */
void delta_prune_copies(struct delta_copies *copies, const unsigned char *old, const unsigned char *new_bytes);
