/* delta/prune_copies.h - drop copies that cost more than they save. Creating only. */
#pragma once

#include "delta/match/copies.h"

/* Removes from `copies` those that are short and too different. Pass both files as the matcher saw them, with the
 * references of their images blanked. */
void delta_prune_copies(struct delta_copies *copies, const unsigned char *old, const unsigned char *new_bytes);
