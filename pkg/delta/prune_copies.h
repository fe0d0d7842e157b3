/* delta/prune_copies.h - drop copies that cost more than they save. Creating only. */
#pragma once

#include "delta/match/copies.h"

/* Removes the copies that are short and whose old and new bytes differ too much. Pass both files in the form that the
 * matcher read, in which the references of images are blank. */
void delta_prune_copies(struct delta_copies *copies, const unsigned char *old, const unsigned char *new_bytes);
