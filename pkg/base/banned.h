/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the compiler refuse libc functions with a safer replacement; -include in every file of pkg/ and cmd/. The libc
 * headers come before the pragma, because after it even a declaration is refused. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atoll gets system popen gmtime localtime asctime    \
    ctime
