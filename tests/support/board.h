/* SPDX-License-Identifier: Apache-2.0 */
/* support/board.h - small files of a machine, recorded as one text, unpacked into a temporary folder.
 *
 * "=== /path" begins a file whose content follows, "=== /path -> target" is a link; '#' before the first is a remark. */
#pragma once

/* Aborts the test on a failure of its own. Remove the folder with board_clean(). */
void board_unpack(const char *tree, char root[128]);
void board_clean(const char *root);
