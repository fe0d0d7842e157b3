/* SPDX-License-Identifier: Apache-2.0 */
/* supervisor/folder.h - links and notes of the host folder, written durably: a new file, its fsync, its rename, the
 * folder's fsync. After a power cut there is the old one or the new one. `folder` is a descriptor. Blocks. */
#pragma once

#include "supervisor/state.h"

/* The target of a link, or the text of a file; "": there is none, or it is too long. */
void hf_supervisor_folder_read(int folder, const char *name, bool is_link, char ret_text[HF_HOST_NOTE]);

/* "" removes it. 0, or -errno: the old one may still be there. */
int hf_supervisor_folder_write(int folder, const char *name, bool is_link, const char *text);
