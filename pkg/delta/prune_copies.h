/* SPDX-License-Identifier: Apache-2.0 */
/* delta/prune_copies.h - drop copies that cost more bytes than they save. Used only to create deltas. */
#pragma once

#include "delta/match/copies.h"

/* Removes each short copy that saves too little, either because it is very short or because too many of its bytes
 * differ between the old and the new file. Pass both files in the form that the matcher read, in which the references
 * of images are blank. */
void delta_prune_copies(struct delta_copies *copies, const unsigned char *old, const unsigned char *new_bytes);
