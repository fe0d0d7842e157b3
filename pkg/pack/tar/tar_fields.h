/* SPDX-License-Identifier: Apache-2.0 */
/* Offsets of fields in a tar header (POSIX.1-1988, ustar). */
#pragma once

enum tar_field {
    TAR_AT_NAME = 0,
    TAR_AT_MODE = 100,
    TAR_AT_UID = 108,
    TAR_AT_GID = 116,
    TAR_AT_SIZE = 124,
    TAR_AT_MTIME = 136,
    TAR_AT_CHECKSUM = 148,
    TAR_AT_TYPE = 156,
    TAR_AT_LINK = 157,
    TAR_AT_MAGIC = 257,
    TAR_AT_PREFIX = 345,
};
