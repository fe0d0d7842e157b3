/* delta/prune_copies.h - drop copies that cost more bytes than they save. Used only to create deltas. */
#pragma once

#include "delta/match/copies.h"

/* Removes each copy that is short and has too many bytes that differ between the old and the new file. Pass both files
 * in the form that the matcher read, in which the references of images are blank. */
void delta_prune_copies(struct delta_copies *copies, const unsigned char *old, const unsigned char *new_bytes);
