"""Workbooks in old and open formats for tests: three xls files as xlwt 1.3.0 wrote them, ods and xlsb written cell by cell."""

from __future__ import annotations

import base64
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

Rows = Sequence[Sequence[object]]

_XLS = {
    "numbers":
    "c-rk)Ur19?82`?_+uWAU&8DD%3?WO?F*RsC=+vw|<iAS#M^G~dUFYs(y9?~0OtZHj@X6>Q!5(_CB<K$n)LRdMVGltNXbpPkDX8c{y?y7~-P%@xgOZH<yPWTy"
    "?>pc5e&_E!_uiNDj>YM@iY3TF3y83)TELWHW0)){#SU1msyv&zn=z?6HWVyooJf-q9u>VP;B(05dkF-%V|a!V;2owDFbv%hIp|tPv{M@bjJKf~C4=i|u|YYt"
    "s)XcelAB51CeOztTgh^TWHb6Mvg0uC>#p@`tN5r;MP)YNaqm-|H)LsmQh3f+@rA1_>1%|xs1z95U<H+iLYM)ZP=8PkM!8-LH^B<f(c$juavwu1f)giu2EM2+"
    "fX}I2{nVw~*VoPf?ccKP1;4SIaT0UwlY#+Y6x36+NhY8OrVPBq2t6?+qAbH4u5*A*m<j><A~8t`%JFb88gT&Zm!gA#cx*T!olS%jiD<&kU8Jz2D1pI%?2<9-"
    "%r=eGD{)zl$9OPlNJ1Y9RtC@+h=t;^D;5uj11@POjLvPHhw)H2lsFUm>gpN6v%|C7>-Bhd);EZl_v}JTdr*nU5|*N4le@{?=xJ=Q@`HvRO!lk?QxR?0LX-ng"
    "OnC=wTRV=-@~uw`UH!ejlVlmC!zg)VZRH~bDqQ3>u(FLxXpkssE!EgTa*U#Gp?n2NCypfEt9whe%)W8*xkRPa$kRl4<=d8#-;Vi-j|U!9PQ3TkV1CxWbj~^Z"
    "+BXeVc!UmMeSVEY9jjy4rZ^t@Qg^03-rkZd|LIX@7VKKvRqb3Zh84cK5e||`jgJmXYl1dbNlipeOlt<z3~9}Xno;9nIXohc9!v6!-Y~+Xzx}*mrM{HF*j<4l"
    "Fyb<4@fdOODSU!HjJOu|@CY9&OvuAogkSVVAQnE0oIxOl%Nm0~3>J++NHZioQw+SV0`-QEy}zcfm2-(XT)d7*TsAG9NF!%WYnfbPR&T_N-Yno@YJ?V{1n%*s"
    "<013|R?wkChYlS&bm;hJ!06Qw=oQF7FMr9G;sWiz&I+bg{Wr;fi-QosOTmxIy&&T~3L|-~pE5AAR4lf}I;sDK97m8n3L)sHc7*a?zxb)dGW)aUiuOOZh4STJ"
    "&8MAzng2V%svwX",
    "mixed":
    "c-rk)OK1~O6uoagX%gEs=?_|=go0IT8<JKbE^2J8c41rV2Y(2f+JMtElafq?y3pEMHzEkG6gPz`xT%WZ2S4b}g;1#rK@eKa&Xu6zqHVnIW+o=FLIYZ;%n5Vn"
    "-TUsl=gocdKAAVuuGxuuHFJ=MZ6Ly8$_AD!8^g<HC{DooREigkyA`jLiB$!g6$jEH!;_NNMSKkTc+Y_Vccqso0Y2h&42Ga5s)pPvh<55jknujWqGWIbEe@!r"
    "UX_tNNwS>e9rAoiaywZrlWaxbS#}hr13e9X{VhH$)KQ%Sc-)87<~><_PzkU2TYT;cOZ&>u7E^+QtE{3{DuzkG0qqQ_p%~Xo;U?GtIyyYv-JT<eS*XClo`i2H"
    "H^5h8R=;qY_La3WK>Lqed(j{4Rvg59`&B^#7=hFYnk3^;0=FbyBg3A!7S-nAInDrp;`DVO8dtQCnuvsAQ5V2&B{mRD#D|i~>0~6Cj3u4iMTsby790qwZWW6a"
    "xu)SJEupH3I1i=_D(FMOssOrz@o++Q#}koA(5(zc(7CPaAZ`l#lc&Pp-Ft>{@9=K*`@R0nO+GaHJYKK2af=tt?IA6yD(Hgd7Eg<(+1u=s0h+moo$ordN;z{@"
    "sS=vK#VGrsl*%re!%j@o{OvC@-F>}*<7643ohiM4t>fu}6rATRu(1Qu$ugogP>W3@M=9!BD%X&#Ku^5a_g3nKU1Q{PfokiKr-kq~us*B20n6i`_dco}{}kAW"
    "<*ClOGZj<s0uxY&`)NP6=f5#%WR2|lHIByt<IeQ8?gPo{-_|{=;MDt`(l_Z+Sl}}q;UbyVcy?Gu6ZBlAH4!y2qe-Yq8BIn_)_GVS&ok^BBOVK_$)opqE_gde"
    "3>G~KBL+TjX9ccthM65k9cQrW48jr&0x{T$;bMkCAO@SxAY>TQEer-1Tq@_!z+;Pfv3XxaitW&&h?FIJM$2XpbDlxWFvx-xHJP%@S)?UcBw{JkBS|?dQVxrh"
    "!y@HmN+Omu{A?za!2_Na-06P74kk>PFk!-k2@}f!qthVJNl4O9!u;G;q<`00z-!U`O!D7iA4Kt|;h)N#pyE9S!v(!RRUk7X7F%W;<9i{;A!Lt182YFm;ey{^"
    "JnggW=UH|`=ii$`h4L>J($9a){}cbbA#(",
    "unclear":
    "c-rk)T}TvB6h3!$X5HQV+0|9hKn5Wz(`D5jwg=rb%ZL2wkNya1&4tEwXJvObu!l0urwD?c`gsxTp%*KJeyE_{dI$`A2!cRs-+BrvdQhix&&+JP5x7u-HQ#X0"
    "z31F}&bf2X{hN6`<C~kfUo{UoXaxr>>27c?lQB$gi}3>1>pCx5xeJqSV_m`R!azDDcvAGLfX9%>dmaS1C%!-m@Bz~a7=oUJ8kN@&?bL?|<9%pB%HS4CilLHv"
    "RZ8?U(K4cUspV6mJ4tedXbZNTW5;18+*21aXYo;?hU$ue+kHqn??}=J<?xcv;tN-q(N==Cq!JliXBE|AAxr`Wv@@zklbkPs+u#A{=m>Oo2aX};z>mS6gs-{`"
    "@Wooy&t+S_wsHn2|GrXQ@Ef@cgP1G7CWrtdpr4{eG7d#>Q{*)g^rp0gwgA&mi0lSTm>)`{6fLTz<I!Zo2e4O34n)$ap^S1i6VGIl882_5#1&183`A5}#iD<u"
    "Xt+U3t7<yMjVXf)wjpB`09}z(EUn6^bUYrBmBBbRZtFUXhr+?knb<eEcNou(;Eqrz7~0;@h~nlzbD$~M)QIBtsFqL_Y$5?P1%kn#haWYxHF;NTO+~b13z7Ci"
    "36*`caJ@J-3wJ)xcK7WIpCri$9Y@BYwTX`r=x~v1pmH(QIKZ-6M;hCRj*``lRIVcG$Fan`c3-(!*fU0LE>UeQ`e`P-32$Cj-h$=vPx~KLkADnr#qw0={5k*B"
    "+wcU`;33+N`urJ#dREVFT<3TkwsK}}aPNs${<7J*1h3h5-8`8~V399xgpa7f@zG&fPB6#H;2g*~vYd#VnB^qoB-0Pe@$(G(#>kJ8HsaA~J{DY$kq4(~g^>py"
    "I75SbnBB$oE|+l++_sQo`@G;GnGZD#D@KG}S&n;fXF1D*p=Wt8>i9eGcWD($;Q=>_$HGr|z=jPQHf-3iVdFmqql=+&85Zg4XIzO3%>O!zn3n9{B>yZ9Kms2P"
    "KPq>Fig^--^O`>uATi4pTcwWmzmVeydQU<O`luhVyyq`|D6!@5vuZ`}pIbut`d`YYpMTl^4{87p`~",
}
"""Name -> the packed file. Below the headings (invoice, day, supplier, business id, account, net amount) stand, as amounts: `numbers`
1000.25, 80.645, -12 (numbers); `mixed` "1.000,50" (text), 12.5, TRUE, "2.000" (text); `unclear` 12.5, "2.000" (text)."""


def xls(path: Path, name: str) -> Path:
    path.write_bytes(zlib.decompress(base64.b85decode(_XLS[name])))
    return path


def ods(path: Path, rows: Rows, hidden: bool = False) -> Path:
    """OpenDocument with one sheet: floats, truth values and texts."""

    def cell(value: object) -> str:
        if isinstance(value, bool):
            return f'<table:table-cell office:value-type="boolean" office:boolean-value="{str(value).lower()}"><text:p>{value}</text:p></table:table-cell>'
        if isinstance(value, int | float):
            return f'<table:table-cell office:value-type="float" office:value="{value}"><text:p>{value}</text:p></table:table-cell>'
        return f'<table:table-cell office:value-type="string"><text:p>{escape(str(value))}</text:p></table:table-cell>'

    table = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    style = 'table:style-name="hid"' if hidden else ""
    office = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="{office}:office:1.0" '
        f'xmlns:table="{office}:table:1.0" xmlns:text="{office}:text:1.0" xmlns:style="{office}:style:1.0">'
        '<office:automatic-styles><style:style style:name="hid" style:family="table"><style:table-properties table:display="false"/>'
        f'</style:style></office:automatic-styles><office:body><office:spreadsheet><table:table table:name="A" {style}>{table}'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        made.writestr("content.xml", content)
        manifest = f'<manifest:manifest xmlns:manifest="{office}:manifest:1.0"/>'
        made.writestr("META-INF/manifest.xml", manifest)
    return path


def xlsb(path: Path, rows: Rows) -> Path:
    """Binary Excel (MS-XLSB) with one sheet: BrtCellReal, BrtCellBool and BrtCellSt."""

    def varint(number: int) -> bytes:
        return bytes([number & 127 | 128, number >> 7]) if number > 127 else bytes([number])

    def record(kind: int, data: bytes = b"") -> bytes:
        return varint(kind) + varint(len(data)) + data

    def wide(text: str) -> bytes:
        return struct.pack("<I", len(text)) + text.encode("utf-16-le")

    def cell(place: int, value: object) -> bytes:
        head = struct.pack("<II", place, 0)
        if isinstance(value, bool):
            return record(4, head + bytes([value]))
        if isinstance(value, int | float):
            return record(5, head + struct.pack("<d", value))
        return record(6, head + wide(str(value)))

    sheet = record(129) + record(148, struct.pack("<IIII", 0, len(rows) - 1, 0, len(rows[0]) - 1)) + record(145)
    for number, row in enumerate(rows):
        sheet += record(0, struct.pack("<II", number, 0) + bytes(9)) + b"".join(cell(place, value) for place, value in enumerate(row))
    sheet += record(146) + record(130)
    book = record(131) + record(143) + record(156, struct.pack("<II", 0, 1) + wide("rId1") + wide("A")) + record(144) + record(132)
    schemas = "http://schemas.openxmlformats.org"
    kind = f"{schemas}/officeDocument/2006/relationships/worksheet"
    relations = (
        f'<Relationships xmlns="{schemas}/package/2006/relationships"><Relationship Id="rId1" Type="{kind}" '
        'Target="worksheets/sheet1.bin"/></Relationships>'
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("[Content_Types].xml", f'<Types xmlns="{schemas}/package/2006/content-types"/>')
        made.writestr("xl/workbook.bin", book)
        made.writestr("xl/_rels/workbook.bin.rels", relations)
        made.writestr("xl/worksheets/sheet1.bin", sheet)
    return path
