resource "aws_security_group" "open" {
  name        = "open"
  description = "open to everybody"
  ingress {
    description = "ssh"
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
