/* SPDX-License-Identifier: Apache-2.0 */
/* Embeds compressed files in the program. Private to pkg/web. Pure. */
#pragma once

#include "loop/server/server.h"

#ifndef HF_PAGE_DIR
#define HF_PAGE_DIR ""
#endif

/* Puts the bytes of FILE.gz between the symbols NAME and NAME_end. */
#define HF_PAGE_EMBED(name, file)                                                                                      \
    __asm__(".pushsection .rodata.hf_page,\"a\"\n"                                                                     \
            ".globl " #name "\n.hidden " #name "\n" #name ":\n"                                                        \
            ".incbin \"" HF_PAGE_DIR file ".gz\"\n"                                                                    \
            ".globl " #name "_end\n.hidden " #name "_end\n" #name "_end:\n"                                            \
            ".byte 0\n.popsection\n");                                                                                 \
    extern const unsigned char name[], name##_end[]

#define HF_PAGE_SCRIPT "text/javascript; charset=utf-8"

struct hf_page_file {
    const char *path, *type;
    const unsigned char *begin, *end;
};

/* Answers as hf_page_answer(), from these files. Returns false if no file has the path. */
bool hf_page_find(const struct hf_page_file *all, size_t n, const struct hf_server_request *request,
                  struct hf_server_reply *reply);
