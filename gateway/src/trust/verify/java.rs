//! A Java class that opens a URL.
//!
//! Owns its bytes (The Java Virtual Machine Specification, chapter 4), put together here because a
//! runtime without a compiler cannot be asked in any other way, and a file of bytes could not be
//! reviewed. In Java it is:
//!
//! ```java
//! public class PortcullisProbe {
//!     public static void main(String[] arguments) throws Exception {
//!         new java.net.URL(arguments[0]).openStream().close();
//!     }
//! }
//! ```

/// The class's name.
pub(super) const NAME: &str = "PortcullisProbe";
/// Java 6: no frames to declare.
const VERSION: u16 = 50;
const PUBLIC: u16 = 0x0001;
const STATIC: u16 = 0x0008;
const SUPER: u16 = 0x0020;

/// The constants, by number from 1; later ones refer to earlier ones.
#[derive(Default)]
struct Constants {
    bytes: Vec<u8>,
    count: u16,
}

impl Constants {
    fn add(&mut self, tag: u8, parts: &[u16]) -> u16 {
        self.bytes.push(tag);
        self.bytes.extend(parts.iter().flat_map(|part| part.to_be_bytes()));
        self.count += 1;
        self.count
    }

    fn text(&mut self, text: &str) -> u16 {
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        let number = self.add(1, &[length]);
        self.bytes.extend_from_slice(text.as_bytes());
        number
    }

    fn class(&mut self, name: &str) -> u16 {
        let name = self.text(name);
        self.add(7, &[name])
    }

    fn method(&mut self, class: u16, name: &str, kind: &str) -> u16 {
        let (name, kind) = (self.text(name), self.text(kind));
        let name_and_type = self.add(12, &[name, kind]);
        self.add(10, &[class, name_and_type])
    }
}

/// The class file.
pub(super) fn class_file() -> Vec<u8> {
    let mut constants = Constants::default();
    let this = constants.class(NAME);
    let object = constants.class("java/lang/Object");
    let url = constants.class("java/net/URL");
    let stream = constants.class("java/io/InputStream");
    let make = constants.method(url, "<init>", "(Ljava/lang/String;)V");
    let open = constants.method(url, "openStream", "()Ljava/io/InputStream;");
    let close = constants.method(stream, "close", "()V");
    let main = constants.text("main");
    let main_type = constants.text("([Ljava/lang/String;)V");
    let code = constants.text("Code");

    let instructions = [
        &[0xbb][..], // new
        &url.to_be_bytes(),
        &[0x59, 0x2a, 0x03, 0x32, 0xb7], // dup, aload_0, iconst_0, aaload, invokespecial
        &make.to_be_bytes(),
        &[0xb6], // invokevirtual
        &open.to_be_bytes(),
        &[0xb6],
        &close.to_be_bytes(),
        &[0xb1], // return
    ]
    .concat();

    let length = u32::try_from(instructions.len()).unwrap_or(u32::MAX);
    let mut file = vec![0xca, 0xfe, 0xba, 0xbe, 0, 0];
    let words =
        |words: &[u16]| -> Vec<u8> { words.iter().flat_map(|word| word.to_be_bytes()).collect() };
    file.extend(words(&[VERSION, constants.count + 1]));
    file.extend_from_slice(&constants.bytes);
    // Access, this, super, no interfaces, no fields, one method with one attribute.
    file.extend(words(&[PUBLIC | SUPER, this, object, 0, 0, 1]));
    file.extend(words(&[PUBLIC | STATIC, main, main_type, 1, code]));
    file.extend((length + 12).to_be_bytes());
    // Four on the stack at most, one local variable.
    file.extend(words(&[4, 1]));
    file.extend(length.to_be_bytes());
    file.extend(instructions);
    // No exceptions that are caught, no attributes of the code or the class.
    file.extend(words(&[0, 0, 0]));
    file
}
