/* What the compiler row compiles: real code from Debian's libstb-dev. */
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_SPRINTF_IMPLEMENTATION
#include "stb/stb_image_write.h"
#include "stb/stb_sprintf.h"
