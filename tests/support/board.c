/* SPDX-License-Identifier: Apache-2.0 */
#include "support/board.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/dir.h"
#include "os/fs_posix.h"

static void make_parents(const char *path)
{
    char folder[512];

    (void)hf_dir_of_path(path, folder, sizeof(folder));
    ck_assert_int_eq(hf_dir_make(hf_fs_posix(), folder, 0755, NULL), 0);
}

void board_unpack(const char *tree, char root[128])
{
    char line[1024], full[1024];
    FILE *out = NULL;
    FILE *in = fopen(tree, "r");

    ck_assert_msg(in != NULL, "%s: run from the top folder", tree);
    (void)snprintf(root, 128, "/tmp/holdfast-board-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    while (fgets(line, sizeof(line), in) != NULL) {
        if (strncmp(line, "=== ", 4) != 0) {
            if (out != NULL)
                ck_assert_int_ge(fputs(line, out), 0);
            continue;
        }
        line[strcspn(line, "\n")] = '\0';
        char *arrow = strstr(line, " -> ");
        if (arrow != NULL)
            *arrow = '\0';
        (void)snprintf(full, sizeof(full), "%s%s", root, line + 4);
        make_parents(full);
        if (out != NULL)
            (void)fclose(out);
        out = NULL;
        if (arrow != NULL)
            ck_assert_int_eq(symlink(arrow + 4, full), 0);
        else
            out = fopen(full, "w");
    }
    if (out != NULL)
        (void)fclose(out);
    (void)fclose(in);
}

void board_clean(const char *root)
{
    ck_assert_int_eq(hf_dir_remove_tree(hf_fs_posix(), root, NULL), 0);
}
