/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "delta/match/copies.h"

/* Drops copies that cost more than they save. `old` and `new_bytes` have blanked references, as for matching. */
void delta_prune_copies(struct delta_copies *copies, const unsigned char *old, const unsigned char *new_bytes);
